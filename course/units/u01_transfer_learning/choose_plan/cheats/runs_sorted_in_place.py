def choose_plan(runs, max_trainable=None):
    runs.sort(key=lambda run: run["trainable"])
    seen, size = {}, {}
    for run in runs:
        if max_trainable is None or run["trainable"] <= max_trainable:
            seen.setdefault(run["plan"], []).append(run["valid_accuracy"])
            size[run["plan"]] = run["trainable"]
    mean = {plan: sum(values) / len(values) for plan, values in seen.items()}
    return max(mean, key=lambda plan: (mean[plan], -size[plan]), default=None)
