"""The class that a guest's `Run` is made from."""


class Run:
    pass
