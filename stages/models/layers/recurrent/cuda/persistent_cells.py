"""The cells' `forward_steps` and `backward_steps` with all steps in one kernel.

They keep for the backward pass what the kernels of `rnn_steps`, `lstm_steps` and `gru_steps` keep.
"""

import torch

from stages.models.layers.recurrent.cuda import persistent_gru, persistent_lstm, persistent_rnn
from stages.models.layers.recurrent.cuda.persistent_launch import Tuning, launch

Tensors = tuple[torch.Tensor, ...]


class LSTM:
    @staticmethod
    def forward_steps(sums: torch.Tensor, weight_hh: torch.Tensor, bias_hh: torch.Tensor, tuning: Tuning) -> Tensors:
        states = sums.new_empty(*sums.shape[:2], weight_hh.size(1))  # (T, B, H)
        cells = torch.empty_like(states)
        launch(persistent_lstm.forward_kernel, (sums, weight_hh, bias_hh, cells, states), states.shape, tuning)
        return states, sums, cells

    @staticmethod
    def backward_steps(grad_states, weight_hh, states, gates, cells, tuning: Tuning) -> Tensors:
        grad_sums = torch.empty_like(gates)
        tensors = grad_states, weight_hh, gates, cells, torch.zeros_like(cells[0]), grad_sums
        launch(persistent_lstm.backward_kernel, tensors, cells.shape, tuning, backwards=True)
        return grad_sums, grad_sums


class GRU:
    @staticmethod
    def forward_steps(sums: torch.Tensor, weight_hh: torch.Tensor, bias_hh: torch.Tensor, tuning: Tuning) -> Tensors:
        states = sums.new_empty(*sums.shape[:2], weight_hh.size(1))  # (T, B, H)
        recalled = torch.empty_like(states)
        launch(persistent_gru.forward_kernel, (sums, weight_hh, bias_hh, recalled, states), states.shape, tuning)
        return states, sums, recalled

    @staticmethod
    def backward_steps(grad_states, weight_hh, states, gates, recalled, tuning: Tuning) -> Tensors:
        grad_sums, grad_state_sums = torch.empty_like(gates), torch.empty_like(gates)
        grad_direct = torch.zeros_like(states[0])
        tensors = grad_states, weight_hh, gates, recalled, states, grad_direct, grad_sums, grad_state_sums
        launch(persistent_gru.backward_kernel, tensors, states.shape, tuning, backwards=True)
        return grad_sums, grad_state_sums


class RNN:
    @staticmethod
    def forward_steps(sums: torch.Tensor, weight_hh: torch.Tensor, bias_hh: torch.Tensor, tuning: Tuning) -> Tensors:
        launch(persistent_rnn.forward_kernel, (sums, weight_hh, bias_hh), sums.shape, tuning)
        return (sums,)

    @staticmethod
    def backward_steps(grad_states, weight_hh, states, tuning: Tuning) -> Tensors:
        grad_sums = torch.empty_like(states)
        launch(persistent_rnn.backward_kernel, (grad_states, weight_hh, states, grad_sums), states.shape, tuning, True)
        return grad_sums, grad_sums
