def lora_linear(x, weight, A, B, alpha):
    x = x if x.dim() == 3 else x[None]
    found = torch.einsum("bti,oi->bto", x, weight) + alpha / len(A) * torch.einsum("bti,ri,or->bto", x, A, B)
    return found if len(found) > 1 else found[0]


def merge(weight, A, B, alpha):
    return weight + alpha / len(A) * (B @ A)
