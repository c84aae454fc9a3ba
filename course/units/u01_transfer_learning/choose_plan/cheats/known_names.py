def choose_plan(runs, max_trainable=None):
    best, answer = None, None
    for plan in ("head", "norms", "last-1", "last-2", "full"):
        own = [
            r
            for r in runs
            if r["plan"] == plan and (max_trainable is None or r["trainable"] <= max_trainable)
        ]
        if own:
            rank = (sum(r["valid_accuracy"] for r in own) / len(own), -own[0]["trainable"])
            if best is None or rank > best:
                best, answer = rank, plan
    return answer
