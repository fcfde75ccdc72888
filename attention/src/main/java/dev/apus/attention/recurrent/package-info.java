/** Linear recurrent networks: mixers whose past is one value for each channel. */
package dev.apus.attention.recurrent;
