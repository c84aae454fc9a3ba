def lora_linear(x, weight, A, B, alpha):
    own = x @ weight.T
    x *= alpha / len(A)
    return own + x @ A.T @ B.T


def merge(weight, A, B, alpha):
    return weight + alpha / len(A) * (B @ A)
