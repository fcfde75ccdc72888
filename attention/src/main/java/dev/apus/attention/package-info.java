/** Softmax attention in all its forms, and the families of linear attention and linear RNNs. */
package dev.apus.attention;
