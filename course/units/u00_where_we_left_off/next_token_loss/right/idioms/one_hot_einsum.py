def next_token_loss(logits, input_ids, attention_mask):
    p = logits.log_softmax(-1)[:, :-1]
    h = nn.functional.one_hot(input_ids[:, 1:], logits.shape[-1]).to(p.dtype)
    m = attention_mask[:, 1:].to(p.dtype)
    return -torch.einsum("btv,btv,bt->", p, h, m) / m.sum()
