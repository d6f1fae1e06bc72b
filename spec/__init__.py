"""Words that every room shares: data types, sizes, names, nested structures."""
