/** Linear attention: mixers whose past is one matrix for each head. */
package dev.apus.attention.linear;
