def lora_linear(x, weight, A, B, alpha):
    return x @ weight.T


def merge(weight, A, B, alpha):
    return weight + alpha / len(A) * (B @ A)
