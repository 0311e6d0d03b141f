"""What a step of learning is made of: loss, optimizer, average, norms, teacher, memory."""
