def lora_linear(x, weight, A, B, alpha):
    x, weight, A, B = x.double(), weight.double(), A.double(), B.double()
    return x @ weight.T + alpha / len(A) * (x @ A.T @ B.T)


def merge(weight, A, B, alpha):
    return weight + alpha / len(A) * (B @ A)
