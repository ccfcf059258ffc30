"""The tests by name, in the order they were written. No SDK is imported to list them."""

CASES = {}


def cases_of(sdk):
    """A decorator: `@case("AllocateEipAddress")` registers a function of one argument, the cloud."""

    def case(name):
        def register(function):
            CASES[f"sdk::{sdk}::{name}"] = function
            return function

        return register

    return case
