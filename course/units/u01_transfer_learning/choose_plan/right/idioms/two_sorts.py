def choose_plan(runs, max_trainable=None):
    sizes = {r["plan"]: r["trainable"] for r in runs}
    plans = [p for p, s in sizes.items() if max_trainable is None or s <= max_trainable]

    def acc(plan):
        a = [r["valid_accuracy"] for r in runs if r["plan"] == plan]
        return sum(a) / len(a)

    plans = sorted(sorted(plans, key=sizes.get), key=acc, reverse=True)
    return next(iter(plans), None)
