def next_token_loss(logits, input_ids, attention_mask):
    targets = input_ids.masked_fill(attention_mask == 0, -100)[:, 1:]
    targets = targets.masked_fill(targets >= 4096, -100)
    return nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1), targets.flatten())
