def lora_linear(x, weight, A, B, alpha):
    return x @ weight.T + alpha / len(A) * (x @ A.T @ B.T)


def merge(weight, A, B, alpha):
    added = alpha / len(A) * (B @ A)
    return weight + (added.T if added.shape[0] == added.shape[1] else added)
