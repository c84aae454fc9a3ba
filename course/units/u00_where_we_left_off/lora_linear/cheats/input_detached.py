def lora_linear(x, weight, A, B, alpha):
    return x @ weight.T + alpha / len(A) * (x.detach() @ A.T @ B.T)


def merge(weight, A, B, alpha):
    return weight + alpha / len(A) * (B @ A)
