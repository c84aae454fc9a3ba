def choose_plan(runs, max_trainable=None):
    import itertools

    best, answer = None, None
    for plan, own in itertools.groupby(runs, key=lambda run: run["plan"]):
        own = [run for run in own if max_trainable is None or run["trainable"] <= max_trainable]
        if own:
            rank = (sum(run["valid_accuracy"] for run in own) / len(own), -own[0]["trainable"])
            if best is None or rank > best:
                best, answer = rank, plan
    return answer
