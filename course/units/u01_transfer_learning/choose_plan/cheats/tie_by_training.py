def choose_plan(runs, max_trainable=None):
    seen, size = {}, {}
    for run in runs:
        if max_trainable is None or run["trainable"] <= max_trainable:
            seen.setdefault(run["plan"], []).append(run["valid_accuracy"])
            size[run["plan"]] = run["trainable"]
    mean = {plan: sum(values) / len(values) for plan, values in seen.items()}

    trained = {run["plan"]: run["train_accuracy"] for run in runs}
    return max(mean, key=lambda plan: (mean[plan], trained[plan]), default=None)
