_head = {}


def build_head(hidden_size, num_classes):
    return _head.setdefault((hidden_size, num_classes), nn.Linear(hidden_size, num_classes))
