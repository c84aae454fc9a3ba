def lora_linear(x, weight, A, B, alpha):
    return x @ weight.T + int(alpha) / len(A) * (x @ A.T @ B.T)


def merge(weight, A, B, alpha):
    return weight + int(alpha) / len(A) * (B @ A)
