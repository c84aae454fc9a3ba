def lora_linear(x, weight, A, B, alpha):
    return x @ weight.T + alpha / min(len(A), 16) * (x @ A.T @ B.T)


def merge(weight, A, B, alpha):
    return weight + alpha / min(len(A), 16) * (B @ A)
