def lora_linear(x, weight, A, B, alpha):
    return x @ weight.T + alpha / len(A) * (x @ A.T @ B.T)


def merge(weight, A, B, alpha):
    return weight + alpha / len(A) * torch.round(B @ A, decimals=2)
