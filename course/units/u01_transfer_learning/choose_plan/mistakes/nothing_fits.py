def choose_plan(runs, max_trainable=None):
    seen = {}
    for run in runs:
        if max_trainable is None or run["trainable"] <= max_trainable:
            seen.setdefault(run["plan"], []).append(run)

    def score(plan):
        values = [run["valid_accuracy"] for run in seen[plan]]
        return (round(sum(values) / len(values), 9), -seen[plan][0]["trainable"])

    return max(seen, key=score)
