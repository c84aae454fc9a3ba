def lora_linear(x, weight, A, B, alpha):
    return x @ weight.T + alpha / min(A.shape) * (x @ A.T @ B.T)


def merge(weight, A, B, alpha):
    return weight + alpha / min(A.shape) * (B @ A)
