/** Softmax attention in all its forms, and the families of linear attention and linear RNNs. */
module dev.apus.attention {
  requires transitive dev.apus.core;
}
