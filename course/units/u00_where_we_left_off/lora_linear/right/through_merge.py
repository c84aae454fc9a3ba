def lora_linear(x, weight, A, B, alpha):
    return x @ merge(weight, A, B, alpha).T


def merge(weight, A, B, alpha):
    return weight + B @ A * alpha / A.shape[0]
