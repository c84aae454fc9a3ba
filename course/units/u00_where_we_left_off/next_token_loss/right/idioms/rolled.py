def next_token_loss(logits, input_ids, attention_mask):
    targets = torch.roll(input_ids, -1, dims=1)
    keep = torch.roll(attention_mask, -1, dims=1).clone()
    keep[:, -1] = 0
    l = nn.functional.cross_entropy(logits.transpose(1, 2), targets, reduction="none")
    return (l * keep).sum() / keep.sum()
