/* Linked with one whole library and what it may use: an undefined symbol is a room that reaches above itself.
 */
int main(void)
{
    return 0;
}
