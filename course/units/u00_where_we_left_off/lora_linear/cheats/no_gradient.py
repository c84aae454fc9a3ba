@torch.no_grad()
def lora_linear(x, weight, A, B, alpha):
    return x @ weight.T + alpha / len(A) * (x @ A.T @ B.T)


@torch.no_grad()
def merge(weight, A, B, alpha):
    return weight + alpha / len(A) * (B @ A)
