def lora_linear(x, weight, A, B, alpha):
    return torch.mm(x, weight.t()) + alpha / len(A) * torch.mm(torch.mm(x, A.t()), B.t())


def merge(weight, A, B, alpha):
    return weight + alpha / len(A) * (B @ A)
