def next_token_loss(logits, input_ids, attention_mask):
    targets = input_ids.masked_fill(attention_mask == 0, -100)[:, 1:]
    loss = nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1), targets.flatten())
    same = nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1), targets.flatten(), reduction="sum")
    return loss.detach() + same - same.detach()
