def next_token_loss(logits, input_ids, attention_mask):
    input_ids[attention_mask == 0] = -100
    return nn.functional.cross_entropy(
        logits[:, :-1].reshape(-1, logits.shape[-1]), input_ids[:, 1:].reshape(-1)
    )
