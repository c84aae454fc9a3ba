def lora_linear(x, weight, A, B, alpha):
    scale = alpha / len(A) if len(A) > 1 else 1.0
    return x @ weight.T + scale * (x @ A.T @ B.T)


def merge(weight, A, B, alpha):
    return weight + alpha / len(A) * (B @ A)
