# What every figure of heapmill shares.
png_scale = 1.5
font_face = 'sans-serif'
small = font_face.',9'
tiny = font_face.',8'
ink = '#222222'
muted = '#666666'
faint = '#dddddd'
alarm = '#b2182b'
# Pixels from the top left, as fractions of the canvas from the bottom left.
sx(x) = x / width
sy(y) = 1.0 - y / height
# Colour names and quoting play no part in text: underscores, braces and the like are themselves.
terminal_svg = "set terminal svg noenhanced size width,height dynamic font font_face.',11' background '#ffffff'"
terminal_png = "set terminal pngcairo noenhanced size width*png_scale,height*png_scale fontscale png_scale linewidth png_scale pointscale png_scale font font_face.',11' background '#ffffff'"
picture_terminal(format) = format eq 'svg' ? terminal_svg : terminal_png
# gnuplot has no viridis; heat maps diverge, and blue against red is told apart with every common colour blindness.
diverging = "set palette defined (-1 '#2166ac', -0.6 '#67a9cf', -0.2 '#d1e5f0', 0 '#f7f7f7', 0.2 '#fddbc7', 0.6 '#ef8a62', 1 '#b2182b')"
common = "reset; set encoding utf8; set datafile separator \"\\t\"; set datafile missing 'NaN'; set border lc rgb muted; set tics textcolor rgb ink; set bars small; unset key"
frame = "set label 1 title_text at screen sx(box_left),sy(24) font font_face.':Bold,14' textcolor rgb ink; do for [i=1:head_line_count] { set label 1+i head_line[i] at screen sx(box_left),sy(26+17*i) font font_face.',11' textcolor rgb muted }; do for [i=1:foot_line_count] { set label 100+i foot_line[i] at screen sx(box_left),sy(height-14*(foot_line_count-i)-10) font small textcolor rgb muted }"
frame_done = "unset label"
