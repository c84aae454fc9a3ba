def lora_linear(x, weight, A, B, alpha):
    r = A.shape[0]
    return torch.einsum("...i,oi->...o", x, weight) + alpha / r * torch.einsum("...i,ri,or->...o", x, A, B)


def merge(weight, A, B, alpha):
    return weight + torch.einsum("or,ri->oi", B, A).mul(alpha / A.size(0))
