from itertools import chain, islice


def set_dial(model, layers):
    everything = set(model.parameters())
    if layers is None:
        learns = everything
    else:
        last = islice(reversed(list(model.layers)), layers)
        learns = set(chain(model.head.parameters(), *(l.parameters() for l in last)))
    for p in everything:
        p.requires_grad = p in learns
