def next_token_loss(logits, input_ids, attention_mask):
    targets = input_ids.masked_fill(attention_mask == 0, -100)[:, 1:]
    return nn.functional.cross_entropy(logits[:, :-1].reshape(-1, 9), targets.reshape(-1))
