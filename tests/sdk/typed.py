"""Checks an SDK's answer against the types that its model declares: the SDK itself takes almost anything."""

import typing


def check(model, path="body"):
    """Every attribute that is set has the declared type, at any depth."""
    for name, declared in typing.get_type_hints(type(model).__init__).items():
        value = getattr(model, name)
        if value is not None:
            check_value(declared, value, f"{path}.{name}")
    return model


def check_value(declared, value, path):
    origin = typing.get_origin(declared)
    if origin is list:
        assert type(value) is list, f"{path} is {value!r}, declared as a list"
        for index, item in enumerate(value):
            check_value(typing.get_args(declared)[0], item, f"{path}[{index}]")
    elif origin is dict or declared is typing.Any:
        assert origin is None or type(value) is dict, f"{path} is {value!r}, declared as a map"
    else:
        # `is`, not isinstance: True is an int to Python.
        assert type(value) is declared, f"{path} is {value!r}, declared as {declared.__name__}"
        if hasattr(value, "to_map"):
            check(value, path)


def complete(model, *absent):
    """Every attribute that the model declares was sent, but for those named: a misspelt field shows as None here."""
    check(model)
    missing = {name for name in typing.get_type_hints(type(model).__init__) if getattr(model, name) is None}
    assert missing == set(absent), f"not sent: {sorted(missing)}; expected: {sorted(absent)}"
    return model


def known(raw, model, path="answer"):
    """Everything in the JSON `raw` has a place in the model that was made of it: no misspelt or stray field."""
    seen = model.to_map() if hasattr(model, "to_map") else model
    known_value(raw, seen, path)
    return check(model)


def known_value(raw, seen, path):
    if isinstance(raw, dict) and isinstance(seen, dict):
        for key, value in raw.items():
            assert key in seen, f"{path}.{key} is no field of the model"
            known_value(value, seen[key], f"{path}.{key}")
    elif isinstance(raw, list) and isinstance(seen, list):
        assert len(raw) == len(seen), f"{path} has {len(raw)} items, the model {len(seen)}"
        for index, item in enumerate(raw):
            known_value(item, seen[index], f"{path}[{index}]")
    else:
        assert raw == seen, f"{path} is {raw!r}, in the model {seen!r}"
