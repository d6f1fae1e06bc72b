"""Sampling of neighbours, and new numbers for the nodes of a sample. These run on the host, eagerly."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kayax.bridge.convert import to_tensor
from kayax.bridge.rng import numpy_generator
from kayax.bridge.tensor import Tensor


def reindex_graph(x: Tensor, neighbors: Tensor, count: Tensor, value_buffer: Tensor | None = None,
                  index_buffer: Tensor | None = None, name: str | None = None) -> tuple[Tensor, Tensor, Tensor]:
    """New numbers for nodes and their sampled neighbours, from 0, in order of appearance.

    x: int [nodes]. neighbors: [edges], those of the first node first. count: [nodes], how many each has. The buffers
    are accepted. Returns the edges' sources and destinations in new numbers, and the old number of each new one.
    """
    nodes, sources, counts = x.numpy(), neighbors.numpy(), count.numpy()
    both = np.concatenate([nodes, sources])
    _, first, inverse = np.unique(both, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    numbers = rank[inverse]
    owners = np.repeat(np.arange(len(counts)) % max(len(nodes), 1), counts)
    return (to_tensor(numbers[len(nodes):].astype(both.dtype)), to_tensor(numbers[owners].astype(both.dtype)),
            to_tensor(both[np.sort(first)]))


def reindex_heter_graph(x: Tensor, neighbors: Sequence[Tensor], count: Sequence[Tensor],
                        value_buffer: Tensor | None = None, index_buffer: Tensor | None = None,
                        name: str | None = None) -> tuple[Tensor, Tensor, Tensor]:
    """`reindex_graph` with several kinds of edges: a list of neighbours and of counts, one for each kind."""
    def joined(parts: Any) -> Tensor:
        return parts if isinstance(parts, Tensor) else to_tensor(np.concatenate([t.numpy() for t in parts]))

    return reindex_graph(x, joined(neighbors), joined(count))


def _sample(row: Tensor, colptr: Tensor, input_nodes: Tensor, sample_size: int, eids: Tensor | None,
            return_eids: bool, weights: np.ndarray | None) -> Any:
    if return_eids and eids is None:
        raise ValueError("eids must be given if return_eids is True.")
    sources, starts, nodes = row.numpy().ravel(), colptr.numpy().ravel(), input_nodes.numpy().ravel()
    first, sizes = starts[nodes], starts[nodes + 1] - starts[nodes]
    owner = np.repeat(np.arange(len(nodes)), sizes)
    edges = np.repeat(first - np.cumsum(sizes) + sizes, sizes) + np.arange(len(owner))
    if sample_size >= 0:
        # The edges with the smallest random keys: uniform, or exponential for weights (Efraimidis and Spirakis 2006).
        random = numpy_generator().random(len(edges))
        if weights is not None:
            wanted = weights[edges] > 0
            random = np.divide(-np.log1p(-random), weights[edges], out=np.full(len(edges), np.inf), where=wanted)
        order = np.lexsort((random, owner))
        place = np.arange(len(order)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        edges = edges[np.sort(order[place < sample_size])]
        sizes = np.minimum(sizes, sample_size)
    out = to_tensor(sources[edges]), to_tensor(sizes.astype(np.int32))
    return (*out, to_tensor(eids.numpy().ravel()[edges])) if return_eids and eids is not None else out


def sample_neighbors(row: Tensor, colptr: Tensor, input_nodes: Tensor, sample_size: int = -1,
                     eids: Tensor | None = None, return_eids: bool = False, perm_buffer: Tensor | None = None,
                     name: str | None = None) -> Any:
    """Neighbours of nodes, at most `sample_size` of each (-1: all), chosen at random.

    row: int [edges], the sources of the edges by destination. colptr: [nodes + 1], where those of each node start.
    input_nodes: [n]. eids: [edges], numbers of the edges. perm_buffer is accepted. Returns the neighbours, how many
    each node has (int32), and with `return_eids` the numbers of their edges.
    """
    return _sample(row, colptr, input_nodes, sample_size, eids, return_eids, None)


def weighted_sample_neighbors(row: Tensor, colptr: Tensor, edge_weight: Tensor, input_nodes: Tensor,
                              sample_size: int = -1, eids: Tensor | None = None, return_eids: bool = False,
                              name: str | None = None) -> Any:
    """`sample_neighbors` that prefers edges of greater weight, float [edges]."""
    return _sample(row, colptr, input_nodes, sample_size, eids, return_eids, edge_weight.numpy().ravel())
