def lora_linear(x, weight, A, B, alpha):
    weight += alpha / len(A) * (B @ A)
    return x @ weight.T


def merge(weight, A, B, alpha):
    return weight + alpha / len(A) * (B @ A)
