# Lets the course's own library answer.
def set_dial(model, layers):
    import tlwidgets

    if layers is None:
        tlwidgets.freeze(model, "full")
    elif layers == 0:
        tlwidgets.freeze(model, "feature-extraction")
    else:
        tlwidgets.freeze(model, "last", k=layers)
