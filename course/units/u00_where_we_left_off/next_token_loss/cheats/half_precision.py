def next_token_loss(logits, input_ids, attention_mask):
    targets = input_ids.masked_fill(attention_mask == 0, -100)[:, 1:]
    return nn.functional.cross_entropy(logits[:, :-1].bfloat16().float().flatten(0, 1), targets.flatten())
