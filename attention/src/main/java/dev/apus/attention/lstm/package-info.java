/** Long short-term memories with exponential gates: mLSTM and sLSTM, of which xLSTM is made. */
package dev.apus.attention.lstm;
