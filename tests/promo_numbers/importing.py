"""What the tests of imports share: starting one, doing its work, its refusals."""

from promo_numbers import actions
from promo_numbers.actions import imports

HEADER = "campaign,description,media_type,number,area_code,promo_type,id_from_network,store\n"


def start(scene, text, by=None, **where):
    content = text if isinstance(text, bytes) else text.encode()
    where = where or {"network": scene.network}
    return actions.import_start(by=by or scene.people.member, content=content, file_name="flyers.csv", **where)


def done(job):
    while imports.import_run(job.pk):
        pass
    job.refresh_from_db()
    return job


def refused(job):
    return {row.line: (row.code, row.reason) for row in job.refusals.all()}
