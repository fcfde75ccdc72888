/** Softmax attention in all its forms, and the families of linear attention and linear RNNs. */
module dev.apus.attention {
  requires transitive dev.apus.core;

  provides dev.apus.core.model.MixerType with
      dev.apus.attention.softmax.Attention.Type,
      dev.apus.attention.softmax.CompressedAttention.Type,
      dev.apus.attention.softmax.ConvolutionalAttention.Type,
      dev.apus.attention.softmax.GlobalAttention.Type,
      dev.apus.attention.softmax.HashedAttention.Type,
      dev.apus.attention.softmax.LatentAttention.Type,
      dev.apus.attention.softmax.LinformerAttention.Type,
      dev.apus.attention.softmax.MixtureOfAttentionHeads.Type,
      dev.apus.attention.softmax.NativeSparseAttention.Type,
      dev.apus.attention.softmax.NystromAttention.Type,
      dev.apus.attention.softmax.PathAttention.Type,
      dev.apus.attention.softmax.RoutedAttention.Type,
      dev.apus.attention.fourier.FourierMixing.Type,
      dev.apus.attention.linear.GatedDeltaNet.Type,
      dev.apus.attention.learning.MemoryAsContext.Type,
      dev.apus.attention.learning.MemoryLayer.Type,
      dev.apus.attention.learning.TestTimeTraining.Type,
      dev.apus.attention.linear.LinearAttention.Type,
      dev.apus.attention.linear.MesaNet.Type,
      dev.apus.attention.linear.MixtureOfMemories.Type,
      dev.apus.attention.linear.SlotAttention.Type,
      dev.apus.attention.linearized.LinearizedAttention.Type,
      dev.apus.attention.lstm.Mlstm.Type,
      dev.apus.attention.lstm.MlstmBlock.Type,
      dev.apus.attention.lstm.Slstm.Type,
      dev.apus.attention.recurrent.GatedRecurrence.Type,
      dev.apus.attention.recurrent.RgLru.Type,
      dev.apus.attention.rwkv.AverageTimeMix.Type,
      dev.apus.attention.rwkv.ChannelMix.Type,
      dev.apus.attention.rwkv.Rwkv7TimeMix.Type,
      dev.apus.attention.rwkv.ShiftedLinear.Type,
      dev.apus.attention.rwkv.TimeMix.Type;
}
