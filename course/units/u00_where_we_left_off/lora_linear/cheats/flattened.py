def lora_linear(x, weight, A, B, alpha):
    x = x.reshape(-1, x.shape[-1])
    return x @ weight.T + alpha / len(A) * (x @ A.T @ B.T)


def merge(weight, A, B, alpha):
    return weight + alpha / len(A) * (B @ A)
