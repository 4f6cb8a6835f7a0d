"""Reading what a client sent: types by serializer, rules by the actions."""

from typing import Any

from rest_framework import serializers


def cleaned(serializer: type[serializers.Serializer], data: Any, **context: Any) -> dict[str, Any]:
    """The known fields of `data`, each of its type. Raises DRF's ValidationError, which is answered 422."""
    reader = serializer(data=data, context=context)
    reader.is_valid(raise_exception=True)
    return dict(reader.validated_data)


class Text(serializers.CharField):
    """A text; a number is one too where an id is meant (`number_too`)."""

    def __init__(self, *, number_too: bool = False, **kwargs: Any) -> None:
        self.number_too = number_too
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str) and not (self.number_too and isinstance(data, int) and not isinstance(data, bool)):
            self.fail("invalid")
        return super().to_internal_value(str(data))


class Flag(serializers.BooleanField):
    """true or false, and nothing that only looks like it."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class Whole(serializers.IntegerField):
    """A whole number of JSON."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("invalid")
        return super().to_internal_value(data)
