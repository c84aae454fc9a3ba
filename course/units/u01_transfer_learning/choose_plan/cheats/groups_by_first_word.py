def choose_plan(runs, max_trainable=None):
    seen, size = {}, {}
    for run in runs:
        if max_trainable is None or run["trainable"] <= max_trainable:
            seen.setdefault(run["plan"].split("-")[0], []).append(run["valid_accuracy"])
            size[run["plan"].split("-")[0]] = run["trainable"]
    mean = {plan: sum(values) / len(values) for plan, values in seen.items()}

    winner = max(mean, key=lambda plan: (mean[plan], -size[plan]), default=None)
    return next((run["plan"] for run in runs if run["plan"].split("-")[0] == winner), None)
