def choose_plan(runs, max_trainable=None):
    import statistics

    best, answer = None, None
    for plan in {run["plan"] for run in runs}:
        own = [run for run in runs if run["plan"] == plan]
        if max_trainable is not None and own[0]["trainable"] > max_trainable:
            continue
        rank = (statistics.fmean(run["valid_accuracy"] for run in own), -own[0]["trainable"])
        if best is None or rank > best:
            best, answer = rank, plan
    return answer
