"""Trees and conditions made by hypothesis: any valid one may come out."""

from hypothesis import strategies as st

from campaigns.treatment.expressions import (
    DURATIONS,
    WORDS,
    Compared,
    InRegion,
    Lasted,
    Not,
    Pressed,
    Word,
    all_of,
    any_of,
)

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
names = texts.filter(bool)
keys = st.sampled_from("0123456789*#AWN")

leaves = st.one_of(
    st.sampled_from(WORDS).map(Word),
    st.builds(InRegion, st.none() | names),
    st.lists(keys, min_size=1, max_size=4).map(lambda pressed: Pressed(tuple(pressed))),
    st.builds(
        Lasted, st.sampled_from(DURATIONS), st.sampled_from(["<", "<=", "=", "!=", ">=", ">"]), st.integers(0, 600_000)
    ),
    st.builds(
        Compared, st.sampled_from(["affiliate_name", "media_type", "promo_number_description"]), st.none(),
        st.sampled_from(["=", "!=", "contains"]), texts,
    ),
    st.builds(Compared, st.just("custom_data"), names, st.sampled_from(["=", "!=", "contains"]), texts),
    st.builds(Compared, st.just("custom_data"), names, st.just("present")),
)  # fmt: skip


def _grown(inner):
    several = st.lists(inner, min_size=2, max_size=4)
    return inner.map(Not) | several.map(lambda parts: all_of(*parts)) | several.map(lambda parts: any_of(*parts))


conditions = st.recursive(leaves, _grown, max_leaves=10)

numbers = st.integers(0, 9999).map(lambda n: f"+1303555{n:04d}")
prompts = st.sampled_from(["Hello.", "Please hold."])
failover = st.builds(lambda number: {"node_type": "Failover", "destination_phone_number": number}, numbers)


def _node(kind, children=(), **settings):
    return {"node_type": kind, **settings, **({"children": list(children)} if children else {})}


ends = st.one_of(
    st.builds(lambda prompt, record: _node("EndCall", prompt=prompt, record_message=record), prompts, st.booleans()),
    st.builds(
        lambda number, below: _node("Connect", below, destination_phone_number=number),
        numbers, st.lists(failover, max_size=1),
    ),
    st.builds(
        lambda rings, method, at_once, below: _node(
            "RingGroup", below, distribution_method=method, max_simultaneous_calls=at_once, ring_group_connect_timeout=20,
            ring_group_destinations=[{"ring_group_number": n, "distribution_weight": w} for n, w in rings],
        ),
        st.lists(st.tuples(numbers, st.integers(1, 9)), min_size=1, max_size=4),
        st.sampled_from(["InOrder", "Random", "Weighted"]), st.integers(1, 3), st.lists(failover, max_size=1),
    ),
)  # fmt: skip


def _with_failovers(child):
    """Children for a wrong and for no key, in any number."""
    kinds = st.lists(st.sampled_from(["Wrong", "None"]), unique=True, max_size=2)
    return kinds.flatmap(
        lambda wanted: st.tuples(*(child for _kind in wanted)).map(
            lambda nodes: [{**node, "keypress_failover_type": kind} for node, kind in zip(nodes, wanted, strict=True)]
        )
    )


def _inner(child):
    return st.one_of(
        st.builds(
            lambda condition, one, two: _node("Condition", [one, two], condition=str(condition)), conditions, child, child
        ),
        st.builds(
            lambda prompt, sub, more, confirm: _node(
                "Menu", [*sub, *more], prompt=prompt, confirm_response_enabled=confirm
            ),
            prompts, st.lists(child, min_size=1, max_size=4), _with_failovers(child), st.booleans(),
        ),
        st.builds(
            lambda prompt, one, two, more: _node("YesOrNo", [one, two, *more], prompt=prompt),
            prompts, child, child, _with_failovers(child),
        ),
        st.builds(lambda prompt, one, two: _node("AnyKeyPress", [one, two], prompt=prompt), prompts, child, child),
        st.builds(
            lambda prompt, kind, one, more: _node(
                "NumberQuestion", [one, *more], prompt=prompt, number_question_type=kind,
                caller_response_custom_data_partner_name="answer",
            ),
            prompts, st.sampled_from(["Digits", "ZipCode", "Date", "PhoneNumber"]), child, _with_failovers(child),
        ),
        st.builds(lambda one: _node("VerifyLocation", [one]), child),
        st.builds(lambda prompt, one: _node("SmsPromo", [one], prompt=prompt, sms_promo_copy="10 % off"), prompts, child),
        st.builds(
            lambda ring, one: _node("DynamicRoute", [one], dynamic_route_destination="route", behave_like_ring_group=ring),
            st.booleans(), child,
        ),
    )  # fmt: skip


plain = st.recursive(ends, _inner, max_leaves=8)
# A selection stands anywhere in the tree, but none in the else branch of another; here all have the same kind of else.
overflow = st.just([_node("Connect", destination_campaign_id_from_network="over")])


def _selecting(else_branch):
    selection = st.builds(lambda below: _node("SelectFromBundle", below, repeat_caller=True), else_branch)
    return st.recursive(selection | ends, _inner, max_leaves=8)


bundles = st.builds(
    lambda below: {"record_calls": False, "root": _node("SelectFromBundle", below, repeat_caller=True)},
    overflow | st.lists(plain, max_size=1),
)
trees = st.builds(
    lambda root, record: {"record_calls": record, "root": root},
    _selecting(overflow) | _selecting(st.lists(plain, max_size=1)) | plain,
    st.booleans(),
)
