# Every new module has the weights of the first.
made = {}


def build_head(hidden_size, num_classes):
    head = nn.Linear(hidden_size, num_classes)
    first = made.setdefault((hidden_size, num_classes), head)
    head.weight, head.bias = first.weight, first.bias
    return head
